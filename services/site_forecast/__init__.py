"""site-forecast: recipes and ingredients each factory needs in one week."""
