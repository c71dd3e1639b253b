"""Consultation 会诊: a hospital asks another about a study; an expert signs an opinion; the requesting side decides."""
