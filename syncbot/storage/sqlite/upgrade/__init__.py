"""What an older state file needs: a copy of it before it is changed, and what its turns file still holds."""
