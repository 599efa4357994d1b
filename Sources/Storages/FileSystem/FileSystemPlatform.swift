/// The parts of the system that a `FileSystemStorage` may use, so that tests can try what it does without them.
package struct FileSystemPlatform: Sendable {
    /// A Boolean value that indicates whether whole names are resolved by `openat2` where the kernel has it.
    package var opensBeneath = true
    /// The ways to place a new file that may be tried, in the order of ``FileSystemProbe/Placement/allCases``.
    package var placements = FileSystemProbe.Placement.allCases
    /// Takes the place of `fsync`, gets the descriptor and returns 0 or an `errno`; `nil` is `fsync` itself.
    package var synchronize: (@Sendable (Int32) -> Int32)?

    /// Allows all that the system offers.
    package init() {}
}
