"""What an image needs to be understood and that tells nobody whose it is: the lists behind ``deidentify``.

Attributes by their keyword (PS3.6), grouped as the modules that define them (PS3.3 Annex C). The standard's table of
what must go (PS3.15 Table E.1-1) is open at its end, because new attributes appear every year; a list of what may stay
is closed. A word stays only when it is one of ``WORDS``, so a name written into a coded attribute goes, too.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IMAGE: Final = _words("""
SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID SynchronizationFrameOfReferenceUID
ImageType Modality SeriesNumber InstanceNumber AcquisitionNumber Laterality ImageLaterality FrameLaterality
BodyPartExamined ViewPosition PatientPosition PatientOrientation PositionReferenceIndicator BurnedInAnnotation
ImagePositionPatient ImageOrientationPatient SliceLocation SliceThickness SpacingBetweenSlices PixelSpacing
ImagerPixelSpacing NominalScannedPixelSpacing PixelSpacingCalibrationType PixelAspectRatio LossyImageCompression
LossyImageCompressionRatio LossyImageCompressionMethod QualityControlImage ImagesInAcquisition PresentationIntentType
""")

_PIXELS: Final = _words("""
SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns BitsAllocated BitsStored
HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue PixelPaddingValue PixelPaddingRangeLimit
RescaleIntercept RescaleSlope RescaleType WindowCenter WindowWidth VOILUTFunction PresentationLUTShape
PixelIntensityRelationship PixelIntensityRelationshipSign FrameIncrementPointer FrameTime FrameTimeVector
RecommendedDisplayFrameRate CineRate PreferredPlaybackSequencing StartTrim StopTrim
RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor BluePaletteColorLookupTableDescriptor
LUTDescriptor NumberOfTemporalPositions TemporalPositionIdentifier
""")

_ACQUISITION: Final = _words("""
Manufacturer ConvolutionKernel KVP XRayTubeCurrent Exposure ExposureTime ExposureInmAs ExposureInuAs FilterType
DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector DistanceSourceToPatient GantryDetectorTilt
TableHeight RotationDirection FocalSpots SingleCollimationWidth TotalCollimationWidth TableSpeed
TableFeedPerRotation SpiralPitchFactor CTDIvol ScanOptions AcquisitionType RevolutionTime
EstimatedRadiographicMagnificationFactor
ScanningSequence SequenceVariant MRAcquisitionType RepetitionTime EchoTime InversionTime NumberOfAverages
ImagingFrequency ImagedNucleus EchoNumbers MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength
PercentSampling PercentPhaseFieldOfView PixelBandwidth FlipAngle AcquisitionMatrix InPlanePhaseEncodingDirection
DiffusionBValue DiffusionGradientOrientation Units CountsSource DecayCorrection DecayFactor FrameReferenceTime
SliceProgressionDirection RadionuclideTotalDose RadionuclideHalfLife RadionuclidePositronFraction
ActualFrameDuration NumberOfSlices NumberOfEnergyWindows NumberOfDetectors CollimatorType TypeOfDetectorMotion
PositionerPrimaryAngle PositionerSecondaryAngle BodyPartThickness CompressionForce BreastImplantPresent
DetectorType OrganExposed Grid
""")

# Days move with the study's shift; times of day stay.
_MOMENTS: Final = _words("""
StudyDate SeriesDate AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime ContentTime AcquisitionDateTime
RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime FrameAcquisitionDateTime FrameReferenceDateTime
""")

_STRUCTURE: Final = _words("""
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence PlanePositionSequence
PlaneOrientationSequence FrameContentSequence PixelValueTransformationSequence FrameVOILUTSequence
CTImageFrameTypeSequence MRImageFrameTypeSequence FrameAnatomySequence MRDiffusionSequence
DiffusionGradientDirectionSequence
FrameType VolumetricProperties VolumeBasedCalculationTechnique ComplexImageComponent AcquisitionContrast
FrameAcquisitionNumber DimensionIndexValues StackID InStackPositionNumber TemporalPositionIndex
DimensionOrganizationSequence DimensionIndexSequence DimensionOrganizationUID DimensionIndexPointer
FunctionalGroupPointer DimensionOrganizationType ModalityLUTSequence VOILUTSequence
AnatomicRegionSequence ViewCodeSequence ViewModifierCodeSequence RadiopharmaceuticalInformationSequence
RadionuclideCodeSequence DetectorInformationSequence EnergyWindowInformationSequence EnergyWindowRangeSequence
EnergyWindowLowerLimit EnergyWindowUpperLimit SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags
RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 PhysicalUnitsXDirection
PhysicalUnitsYDirection PhysicalDeltaX PhysicalDeltaY SourceImageSequence ReferencedImageSequence
ReferencedSOPClassUID ReferencedSOPInstanceUID ReferencedFrameNumber
""")

KEPT: Final = _IMAGE | _PIXELS | _ACQUISITION | _MOMENTS | _STRUCTURE

# With "Retain Patient Characteristics" (PS3.15 E.3.7): what many models need and what alone identifies nobody.
CHARACTERISTICS: Final = _words("PatientSex PatientAge PatientSize PatientWeight")

# Tables of numbers, without which pixels cannot be shown.
TABLES: Final = _words("""
RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
SegmentedRedPaletteColorLookupTableData SegmentedGreenPaletteColorLookupTableData
SegmentedBluePaletteColorLookupTableData LUTData
""")

WORDS: Final = _words("""
CT MR PT NM DX CR MG XA RF US IO PX ES OT XC SC SM OP OPT SEG
ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER OTHER NONE MIXED NORMAL VOLUME SAMPLED DISTORTED REFORMATTED
PROJECTION MPR MIP MAX MIN MEAN MINIP RESAMPLED STATIC DYNAMIC GATED TOMO RECON WHOLE BODY PLANE BIPLANE M P R I
FFE SE GR IR EP RM SK MTC SS TRSS SP OSP 2D 3D ROW COL PHASE MAGNITUDE REAL IMAGINARY DIFFUSION T1 T2 PROTON_DENSITY
MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_RCT YBR_ICT PALETTE
LINEAR LINEAR_EXACT SIGMOID IDENTITY INVERSE LOG DISP LIN YES NO 00 01 HU US ED PROPCNTS
HEAD NECK CHEST ABDOMEN PELVIS SPINE CSPINE TSPINE LSPINE SSPINE BREAST HEART BRAIN SKULL LUNG LIVER KIDNEY EXTREMITY
SHOULDER ELBOW WRIST HAND FINGER HIP KNEE ANKLE FOOT LEG ARM FEMUR HUMERUS ABDOMENPELVIS CHESTABDOMEN NECKCHEST
NECKCHESTABDPELV CHESTABDPELVIS WHOLEBODY THYROID PROSTATE UTERUS AORTA CAROTID CLAVICLE RIB SACRUM SINUS
L B U A F H AP PA LL RL LLD RLD LLO RLO LAT OBL CC MLO ML LM XCCL SIO AT RCC LCC HFS HFP FFS FFP HFDR HFDL FFDR FFDL
AR AL PR PL HR HL FR FL AH AF PH PF LA RA LP RP LH LF RH RF AS
BQML CNTS GML CM2ML PCNT NCPS EMISSION TRANSMISSION START ADMIN DECY
CW CCW SPIRAL SEQUENCED CONSTANT_ANGLE STATIONARY FREE BODY_FILTER HEAD_FILTER WEDGE FLAT HELICAL AXIAL_MODE
1H 31P ISO_2022 GEOMETRY FIDUCIAL FOR PRESENTATION FOR_PRESENTATION PROCESSING TISSUE COLOR LEFT RIGHT BOTH
PARA FANB CONE PINH DIVG SLNT DIRECT SCINTILLATOR STORAGE FILM FIXED MOVING 3D_TEMPORAL TILED_FULL TILED_SPARSE
ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_13818_2 ISO_14496_10
STANDARD BONE SOFT DETAIL EDGE CHST LUNG_KERNEL BONEPLUS
SIEMENS PHILIPS TOSHIBA CANON HITACHI UIH NEUSOFT MINDRAY HOLOGIC FUJIFILM AGFA CARESTREAM SHIMADZU
""") | {"", "COLOR", "PALETTE COLOR", "GE MEDICAL SYSTEMS", "FOR PRESENTATION", "FOR PROCESSING", "WHOLE BODY"}
