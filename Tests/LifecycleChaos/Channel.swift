import Foundation
import NIOConcurrencyHelpers

/// The line between a process and the conductor, who started it: orders come in, reports go out.
enum Channel {
    private static let stopping = NIOLockedValueBox(false)

    static var isStopping: Bool { stopping.withLockedValue { $0 } }

    /// Ends the process when the conductor is gone, and notes when it is told to stop.
    static func listen() {
        Thread.detachNewThread {
            while let line = readLine() {
                if line == "stop" { stopping.withLockedValue { $0 = true } }
            }
            _exit(3)
        }
    }

    static func ready() { send("ready") }

    static func count(_ happening: Happening, _ number: Int = 1) {
        if number > 0 { send("count \(happening.rawValue) \(number)") }
    }

    /// Reports what a task does from now on.
    static func doing(_ lane: String, _ what: String) { send("doing \(lane) \(what)") }

    static func violation(_ text: String) { send("violation \(text)") }

    /// One write of less than a page of the pipe, so that a line is whole or missing.
    private static func send(_ line: String) {
        var bytes = Array(line.replacing("\n", with: " ").utf8.prefix(3900)) + [0x0A]
        _ = write(1, &bytes, bytes.count)
    }
}
