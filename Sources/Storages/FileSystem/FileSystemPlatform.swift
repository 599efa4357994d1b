/// What a `FileSystemStorage` may use of the system below it, for tests of the ways it takes without.
package struct FileSystemPlatform: Sendable {
    /// Whether whole names are resolved by `openat2` where the kernel has it.
    package var opensBeneath = true
    /// The ways to place a new file that may be tried, in the order of ``FileSystemProbe/Placement/allCases``.
    package var placements = FileSystemProbe.Placement.allCases
    /// Takes the place of `fsync`, gets the descriptor and returns 0 or an `errno`; `nil` is `fsync` itself.
    package var synchronize: (@Sendable (Int32) -> Int32)?

    /// All that the system offers.
    package init() {}
}
