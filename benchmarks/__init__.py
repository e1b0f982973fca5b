"""Speed: a population side by side with a plain loop over single runs (`make benchmark`)."""
