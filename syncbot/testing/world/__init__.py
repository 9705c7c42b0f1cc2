"""What the fake server knows: users, chats, messages, files, and updates that wait."""
