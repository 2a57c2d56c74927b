"""What faces showed over time: how it is stored, read and downloaded, whatever it was seen in."""
