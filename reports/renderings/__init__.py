"""A report as people and machines read it: HTML, Markdown, terminal, JUnit, and all its files at once."""
