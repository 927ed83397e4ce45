"""Amazon Forecast's API, served from here: what it is asked, and the jobs behind it. docs/forecast-api.md is for its users."""
