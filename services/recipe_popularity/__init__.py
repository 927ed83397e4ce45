"""recipe-popularity: take rates per menu week and region, with their uncertainty."""
