import Foundation
import Storages

extension StorageName {
    /// The prefix of the names of everything that is derived from this file: its variants lie beside it, are found
    /// without a query, and are deleted with it.
    var variantPrefix: String { string + Self.variantMark }

    /// The name of the file that this one is a variant of; `nil` when it is none.
    var variantOwner: String? {
        guard let mark = string.range(of: Self.variantMark, options: [.backwards, .literal]) else { return nil }
        let owner = string[..<mark.lowerBound]
        return owner.isEmpty ? nil : String(owner)
    }

    private static let variantMark = ".variants/"
}
