"""The participant: information, consent, camera check, the blocks, thanks, withdrawal."""
