"""A mark for programs that live for milliseconds: imported first, it makes `windlass.spec.struct` do without msgspec.

msgspec takes 25 ms to import (it imports typing, dataclasses, inspect, uuid, decimal), most of what a whole
`runc run` takes. There is nothing here but the module's own presence in `sys.modules`.
"""
