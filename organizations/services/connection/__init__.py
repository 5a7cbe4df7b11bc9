"""Settings, circuit breaker, rate limit and requests to Redox, for each environment."""
