"""DICOM in, DICOMweb out: the imaging cloud's archive, usable without ``telemed``."""
