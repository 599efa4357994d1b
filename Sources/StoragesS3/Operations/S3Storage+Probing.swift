import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Platform
public import Storages

extension S3Storage {
    /// Finds out which conditional writes the server supports, and remembers it.
    ///
    /// Some servers evaluate a condition, some refuse it, some ignore it silently and overwrite, and some let several
    /// writers at the same time win. So objects with random keys are written on conditions that hold, on conditions
    /// that do not, and by several at once: whole, as multipart uploads and as copies,
    /// new and in the place of others, and deleted.
    /// The first write to an unknown server that needs a condition does this by itself; call it at start-up to have
    /// ``Storage/capabilities`` right from the beginning.
    ///
    /// The results count more than what is claimed of the server, in this state of the bucket: when its versioning
    /// changes, call it again. Only where a server is known to fail now and then, a trial that went well changes
    /// nothing.
    ///
    /// Everything is removed again, with all its versions where the permissions allow that. In a bucket that locks all
    /// objects for a time nothing is written, and only what is known of the server counts.
    ///
    /// - Returns: The capabilities of the storage.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/permissionDenied`` or ``StorageError/Code/unavailable``
    ///   when the server lets nothing be written; then nothing is remembered. `CancellationError`.
    @discardableResult
    public func probeConditionalWrites() async throws -> StorageCapabilities {
        _ = try await reporting { try await probedConditions() }
        return capabilities
    }

    /// Runs a trial, once for all tasks that ask at the same time, and returns the result.
    func probedConditions() async throws -> ConditionalWrites {
        try await conditionProbe.value(for: bucketName) {
            // Goes on to its end although nobody waits: the object of a write that was cut off could not be deleted.
            try await Task { try await self.probeConditions() }.value
        }
    }

    private static let probePrefix = ".stored-files-probe-"

    private func probeConditions() async throws -> ConditionalWrites {
        var versioning = try await fetchVersioning()
        // Also where the keys may not know whether versions are kept: a locked bucket keeps them.
        if versioning != .never, try await locksAllObjects() {
            options.logger.notice(
                "The S3 bucket locks all objects for a time, so that it is not tried what the server can do",
                metadata: ["bucket": "\(bucketName)"]
            )
            return conditions.withLockedValue { conditions in
                conditions.learn(ConditionalWrites(), in: versioning)
                return conditions.writes
            }
        }
        let claims = client.profile.conditions
        let prefix = Self.probePrefix + StorageName.timeOrderedID()
        let trial = ConditionTrial(self, claimed: claims.writes(in: versioning), in: versioning, prefix: prefix)
        let seen: ConditionalWrites
        do {
            seen = try await trial.run()
        } catch {
            await remove(trial.traces.withLockedValue { $0 })
            throw error
        }
        if trial.seesVersions { versioning = .enabled }
        await remove(trial.traces.withLockedValue { $0 })
        await removeOldProbes()
        let state = versioning
        let result = conditions.withLockedValue { conditions in
            conditions.learn(seen, in: state)
            return conditions.writes
        }
        options.logger.info(
            "Found out which writes the S3 server makes depend on what is there",
            metadata: [
                "bucket": "\(bucketName)", "versioning": "\(versioning)", "put": "\(result.put)",
                "parts": "\(result.complete)", "copy": "\(result.copy)", "deletion": "\(result.delete)",
            ]
        )
        return result
    }

    /// Removes the objects and uploads of earlier trials whose processes died.
    private func removeOldProbes() async {
        let anHourAgo = Date(timeIntervalSinceNow: -3600)
        do {
            let names = try await FileListing.$includesReserved.withValue(true) {
                var names: [StorageName] = []
                for try await file in list(prefix: Self.probePrefix) {
                    if let modified = file.modified, modified < anHourAgo { names.append(file.name) }
                }
                return names
            }
            if !names.isEmpty { await removeProbes(names) }
            try await abortUploads(olderThan: anHourAgo, prefix: Self.probePrefix)
        } catch {
            // Credentials that may write and not list are common.
            options.logger.debug(
                "Could not look for what earlier tries of the S3 server left",
                metadata: ["bucket": "\(bucketName)", "error": "\(error)"]
            )
        }
    }

    /// Removes what a trial has written, although the task may be cancelled.
    private func remove(_ traces: ConditionTrial.Traces) async {
        await Task {
            for upload in traces.uploads {
                do {
                    try await self.abort(upload.name.string, uploadID: upload.uploadID)
                } catch {
                    self.warn(of: upload.name, error)
                }
            }
            let versions = traces.objects.filter { $0.version != nil && $0.version != "null" }
            var left = Set(traces.objects.map(\.name)).subtracting(versions.map(\.name))
            for (name, version) in versions {
                guard let version else { continue }
                do {
                    try await self.delete(name, version: version)
                } catch {
                    // Where the credentials may not delete versions, the object is hidden by a delete marker.
                    left.insert(name)
                }
            }
            if !left.isEmpty { await self.removeProbes(Array(left)) }
        }.value
    }

    private func removeProbes(_ names: [StorageName]) async {
        do {
            for failure in try await delete(names) { throw failure.error }
        } catch {
            warn(of: names[0], error)
        }
    }

    private func warn(of name: StorageName, _ error: any Error) {
        options.logger.warning(
            "An object that was written to try the S3 server out could not be deleted. Delete it.",
            metadata: ["bucket": "\(bucketName)", "key": "\(name)", "error": "\(error)"]
        )
    }
}
