"""Points in pictures, such as the landmarks of a face: their target and their readers."""
