import Foundation
import NIOCore
import Storages

/// Uses a `FileSystemStorage` in a process of its own, into which a library is loaded that makes system calls fail, or
/// as another user.
///
/// Usage: `FileSystemWorker COMMAND…`, each one argument, done in their order; each prints one line. `FAULTS` in the
/// environment names the file with the rules of the library.
@main
struct FileSystemWorker {
    static func main() async {
        // What must not block would hold the test for ever.
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 120)
            print("stuck")
            exit(3)
        }
        var session = Session()
        for command in CommandLine.arguments.dropFirst() {
            let words = command.split(separator: " ").map(String.init)
            guard let verb = words.first else { continue }
            let outcome: String
            do {
                outcome = try await session.perform(verb, Array(words.dropFirst()))
            } catch let error as StorageError {
                outcome = "\(error.code) \(error.message)"
            } catch {
                outcome = "unexpected \(error)"
            }
            print("\(command): \(outcome)")
        }
    }
}
