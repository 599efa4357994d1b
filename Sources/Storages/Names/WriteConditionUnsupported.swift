/// The reason of an error of code ``StorageError/Code/unsupported`` whose write would go through without its condition.
package struct WriteConditionUnsupported: Error, CustomStringConvertible {
    package var description: String { "the storage cannot make this write depend on what is there" }

    package init() {}
}
