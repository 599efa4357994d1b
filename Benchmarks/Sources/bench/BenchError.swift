/// Something is not as the work needs it: a wrong command line, a missing fixture, a result that is not what it must
/// be.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Ends the work unless what it did is what it should have done.
///
/// A figure for a wrong result is worth nothing.
func check(_ isTrue: Bool, _ what: @autoclosure () -> String) throws {
    guard isTrue else { throw BenchError("the result is wrong: \(what())") }
}
