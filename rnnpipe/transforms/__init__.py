"""Raw data → records, with Apache Beam."""
