import Foundation

/// A check for a build of this process with a sanitizer, which takes memory and address space of its own.
package enum Sanitizer {
    /// As `Scripts/test --sanitize=…` says.
    package static let isOn = ProcessInfo.processInfo.environment["STORED_FILES_SANITIZED"] != nil
}
