import Storages

extension StorageName {
    /// What the names of everything begin with that is derived from this file: its variants lie beside it, are found
    /// without a query, and are deleted with it.
    var variantPrefix: String { string + ".variants/" }
}
