internal import NIOConcurrencyHelpers
import Platform

/// The directory of unfinished uploads does not let this user in, though the root does.
struct StagingAreaClosed: Error {
    /// The command that the directory's owner has to run.
    var command: String
    var number: Int32
}

// The directory itself: it lets in whom the root lets in.
extension StagingArea {
    /// The number of attempts to make an entry whose directory was removed meanwhile.
    private static let attempts = 10

    /// Opens the directory, and makes it when it is missing and `creates`.
    func directory(creates: Bool = false) throws -> Descriptor {
        do {
            let directory = try SystemCall.openDirectory(Self.directoryName, in: root.descriptor)
            if creates { open(directory) }
            return directory
        } catch let error as SystemCallError where error.isMissing && creates {
            let isNew = try SystemCall.makeDirectory(Self.directoryName, in: root.descriptor, mode: 0o700)
            if isNew { isOpened.withLockedValue { $0 = false } }
            return try directory(creates: isNew)
        } catch let error as SystemCallError where error.number == EACCES {
            throw explanation(of: error)
        }
    }

    /// Makes something in the directory, which is made first when it is missing.
    func makeEntry<Entry>(_ make: (Descriptor) throws -> Entry) throws -> (Entry, directory: Descriptor) {
        for _ in 1..<Self.attempts {
            do {
                return try makeEntryNow(make)
            } catch let error as SystemCallError where error.isMissing {
                // It was empty, and somebody who tidies up, or a probe, has removed it.
            } catch is StagingAreaClosed {
                // Its owner may have made it a moment ago, and open it in the next.
                usleep(10_000)
            }
        }
        return try makeEntryNow(make)
    }

    private func makeEntryNow<Entry>(_ make: (Descriptor) throws -> Entry) throws -> (Entry, directory: Descriptor) {
        let staging = try directory(creates: true)
        do {
            return (try make(staging), staging)
        } catch let error as SystemCallError where error.number == EACCES {
            throw explanation(of: error)
        }
    }

    /// Gives the directory the permission bits of the root, so that users who may store files there may store them
    /// here.
    ///
    /// One that has fewer was made a moment ago, or by an earlier version. `mkdir` alone would leave out what the umask
    /// says, while the root may have been given more than that on purpose.
    private func open(_ directory: Descriptor) {
        guard !isOpened.withLockedValue({ $0 }), let (wanted, found) = try? permissions(of: directory) else { return }
        guard found.mode | wanted != found.mode else { return isOpened.withLockedValue { $0 = true } }
        // Another user's: then it is seen when something is made there. FAT and some shares keep no bits at all.
        guard found.owner == geteuid() || geteuid() == 0 else { return }
        try? SystemCall.setPermissions(found.mode | wanted, of: directory)
        isOpened.withLockedValue { $0 = true }
    }

    private func permissions(of directory: Descriptor) throws -> (wanted: UInt32, found: FilePermissions) {
        (try wantedMode(), try SystemCall.permissions(of: directory))
    }

    /// The bits of the root but for set-user-ID, and what the owner needs.
    private func wantedMode() throws -> UInt32 {
        try SystemCall.permissions(of: root.descriptor).mode & 0o3777 | 0o700
    }

    /// Returns the error with the command that mends it, when the directory is less open than the root.
    private func explanation(of error: SystemCallError) -> any Error {
        guard let wanted = try? wantedMode(),
            let found = try? SystemCall.permissions(of: Self.directoryName, in: root.descriptor),
            found.owner != geteuid(), found.mode & 0o777 | wanted & 0o777 != found.mode & 0o777
        else { return error }
        let path = (root.canonicalPath ?? root.path) + "/" + Self.directoryName
        return StagingAreaClosed(
            command: "chmod \(String(wanted | found.mode, radix: 8)) \(StorageError.quoted(path))",
            number: error.number
        )
    }
}
