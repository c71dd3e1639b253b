"""DICOM as data: reading, text repair, the JSON model, frame layout, codecs and pixels. No I/O beyond one open file."""
