internal import NIOCore
import Platform

extension FileSystemStorage {
    /// Finds out what the file system can do, by trying it in the storage's own directory.
    ///
    /// For the start of a program, or its diagnosis: what it finds belongs into a log. Uploads need none of it, they
    /// find their way by themselves. Nothing is left behind, also not by a probe that was killed: the next one removes
    /// what is older than ten minutes.
    ///
    /// ```swift
    /// let probe = try await storage.probe()
    /// if let failure = probe.writeFailure { throw failure }
    /// logger.info("\(probe.fileSystem): \((probe.freeBytes ?? 0) >> 20) MiB, \(probe.placement?.rawValue ?? "-")")
    /// ```
    ///
    /// - Returns: What was found; where the storage cannot be written to, why, and what can be said without.
    /// - Throws: ``StorageError`` when the root cannot even be looked at, such as with
    ///   ``StorageError/Code/unavailable`` when what serves the file system has ended; `CancellationError`.
    public func probe() async throws -> FileSystemProbe {
        try await run("probe the file system", nil) { try self.probeNow() }
    }

    private func probeNow() throws -> FileSystemProbe {
        let found = try SystemCall.fileSystem(of: directory.descriptor)
        var probe = FileSystemProbe(
            fileSystem: found.kind.name,
            isLocal: found.kind.isLocal,
            freeBytes: found.freeBytes,
            freeFiles: found.freeFiles,
            longestName: found.longestName
        )
        do {
            try staging.withProbeDirectory { try self.probe(in: $0, &probe) }
        } catch let error as SystemCallError {
            probe.writeFailure = explain(error, "write to the root", nil, writes: true)
        } catch let error as StagingAreaClosed {
            probe.writeFailure = explain(error, "write to the root", nil)
        }
        if probe.writeFailure != nil { probe.placement = nil }
        return probe
    }

    /// Tries all that needs files, in an empty directory.
    private func probe(in place: Descriptor, _ probe: inout FileSystemProbe) throws {
        probe.placement = try staging.tryPlacement(in: place)
        let file = try SystemCall.open("case", in: place, flags: O_WRONLY | O_CREAT | O_EXCL, mode: fileModeOfProbes)
        try SystemCall.write(.init(string: "x"), to: file)
        probe.setsModificationTimes = try SystemCall.setModificationTime(1_000_000_000, of: file)
        try directory.synchronize(file)
        try file.closeTelling()
        probe.keepsCaseApart = isMissing("CASE", in: place)
        // It may refuse letters beyond ASCII.
        if let file = try? SystemCall.open("\u{E9}", in: place, flags: O_WRONLY | O_CREAT, mode: fileModeOfProbes) {
            file.closeNow()
            probe.keepsNormalizationApart = isMissing("e\u{301}", in: place)
        }
        do {
            try directory.synchronize(place)
            probe.synchronizesDirectories = true
        } catch let error as SystemCallError where error.isSynchronizationRefused {
            probe.synchronizesDirectories = false
        }
    }

    private var fileModeOfProbes: UInt32 { 0o600 }

    private func isMissing(_ name: String, in place: Descriptor) -> Bool? {
        do {
            _ = try SystemCall.status(of: name, in: place)
            return false
        } catch {
            return (error as? SystemCallError)?.isMissing == true ? true : nil
        }
    }
}

// Probes have a directory of their own among the unfinished uploads.
extension StagingArea {
    private static let probePrefix = "probe-"
    /// The number of seconds that a probe may take.
    private static let probeTime: Int64 = 600

    /// Calls `body` with a new, empty directory, and removes it with all that is in it, and what killed probes left.
    func withProbeDirectory(_ body: (Descriptor) throws -> Void) throws {
        let name = Self.probePrefix + Self.randomName()
        let wasThere = (try? directory()) != nil
        let (_, staging) = try makeEntry { staging in
            _ = try SystemCall.makeDirectory(name, in: staging, mode: 0o700)
        }
        defer {
            removeProbe(name, in: staging)
            // Empty and not there before: nothing is to be left. An upload that has just opened it makes it again.
            if !wasThere { try? SystemCall.unlink(Self.directoryName, in: root.descriptor, flags: AT_REMOVEDIR) }
        }
        let place = try SystemCall.openDirectory(name, in: staging)
        // By the clock that stamps the files: a server has its own.
        try removeProbes(in: staging, before: SystemCall.status(of: place).seconds - Self.probeTime)
        try body(place)
    }

    /// Removes what probes left whose process was killed before `limit` (seconds since 1970).
    func removeProbes(in staging: Descriptor, before limit: Int64) throws {
        var names: [String] = []
        try DirectoryEntries.forEach(in: staging) { entry, _ in
            let name = String(cString: entry)
            guard name.hasPrefix(Self.probePrefix), let status = try? SystemCall.status(of: entry, in: staging),
                status.kind == .directory, status.seconds < limit
            else { return }
            names.append(name)
        }
        for name in names { removeProbe(name, in: staging) }
    }

    private func removeProbe(_ name: String, in staging: Descriptor) {
        // What cannot be removed is tried again by the next probe.
        guard let place = try? SystemCall.openDirectory(name, in: staging) else { return }
        var entries: [String] = []
        try? DirectoryEntries.forEach(in: place) { entry, _ in entries.append(String(cString: entry)) }
        for entry in entries { try? SystemCall.unlink(entry, in: place) }
        try? SystemCall.unlink(name, in: staging, flags: AT_REMOVEDIR)
    }

    /// Finds out how a new file gets its name, as if none had been made yet.
    func tryPlacement(in place: Descriptor) throws -> FileSystemProbe.Placement {
        let ways = ways.untried()
        while true {
            let file = try makeFile(for: StorageName(unchecked: "probe"), named: false, ways: ways)
            do {
                let status = try file.complete()
                let way = try file.place("placed", in: place, as: status)
                // After a rename it has no other name.
                try? file.discard()
                return way
            } catch is NamelessFileRefused where ways.startsNameless {
                ways.leaveOutNameless()
            } catch {
                try? file.discard()
                throw error
            }
        }
    }
}
