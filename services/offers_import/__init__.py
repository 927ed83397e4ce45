"""offers-import: prices and promotions, as Amazon Forecast's related series."""
