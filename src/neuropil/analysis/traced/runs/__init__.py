"""Running any module while each operation is recorded."""
