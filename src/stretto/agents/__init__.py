"""Kinds of agents, one module each: plain functions first."""
