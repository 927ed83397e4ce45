"""What each squad relies on in the others' messages, and whether what it gives fits what the others rely on."""
