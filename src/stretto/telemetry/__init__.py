"""Runs told to others as OpenTelemetry traces and metrics. Nothing here is loaded unless somebody asks for it."""
