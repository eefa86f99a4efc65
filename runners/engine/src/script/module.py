# Which distributions this interpreter has, from their metadata: nothing is imported.
import platform
from importlib import metadata


def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    except Exception as error:
        return trouble("metadata", error)


say({
    "python": platform.python_version(),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "prefix": sys.prefix,
    "modules": {name: version(name) for name in sys.argv[1:]},
})
