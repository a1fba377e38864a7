"""Images classified by a recurrent network that reads them in glimpses."""
