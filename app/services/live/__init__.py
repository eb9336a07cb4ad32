"""What open editors hear: notes of transactions, the streams of a process, who is where."""
