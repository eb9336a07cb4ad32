"""The REST API: one router per subject, its wire models on top of it."""
