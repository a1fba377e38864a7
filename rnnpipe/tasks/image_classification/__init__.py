"""Images classified by a recurrent net that looks at them again and again."""
