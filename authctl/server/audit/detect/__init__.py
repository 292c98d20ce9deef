"""Detection: rules that look for attacks and carelessness in the trail."""
