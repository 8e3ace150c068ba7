"""For those who extend Stretto: contract suites for every port, and fakes that behave like the real parts."""
