"""Brigade on AWS: CloudFormation templates, made by CDK from the same pipelines: `python -m infra --help`."""
