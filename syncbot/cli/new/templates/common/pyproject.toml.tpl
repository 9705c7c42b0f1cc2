[build-system]
requires = ["setuptools>=83"]
build-backend = "setuptools.build_meta"

[project]
name = "{{name}}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [{{dependencies}}]

[project.optional-dependencies]
test = ["syncbot[testing]=={{version}}", "{{pytest}}"]

[tool.setuptools]
{{modules}}

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
