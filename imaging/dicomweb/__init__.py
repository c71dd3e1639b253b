"""The DICOMweb services (PS3.18), one module each; content negotiation lives in ``negotiation``."""
