import Foundation

/// A check for a build of this process with a sanitizer, which takes memory and address space of its own.
package enum Sanitizer {
    /// A Boolean value that indicates whether a sanitizer is on, as `Scripts/test --sanitize=…` reports it.
    package static let isOn = ProcessInfo.processInfo.environment["STORED_FILES_SANITIZED"] != nil
}
