"""What learns: labels honest about who was investigated; models come later."""
