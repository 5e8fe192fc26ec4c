"""From intent to OCI spec to launch plan; clients of zygote and supervisors."""
