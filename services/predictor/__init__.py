"""predictor: an auto predictor of Amazon Forecast."""
