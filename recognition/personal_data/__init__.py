"""What people decide about their own data: export, retention, deletion of the account."""
