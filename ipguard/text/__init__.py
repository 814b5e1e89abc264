"""Reading prompts: views with offset maps, clauses, prompt syntax, word frequencies."""
