"""volume-forecast: boxes of one factory's regions by the predictor."""
