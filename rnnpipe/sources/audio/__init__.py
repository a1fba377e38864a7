"""Sound with text: utterances, in files of their own or cut from long recordings."""
