/// An error that a program could not be run.
struct ChildProcessError: Error, CustomStringConvertible {
    var description: String
}
