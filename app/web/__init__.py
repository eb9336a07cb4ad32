"""The pages: server-rendered shells and the built front end."""
