"""What several test folders share: root file systems and launch plans that need no image store."""
