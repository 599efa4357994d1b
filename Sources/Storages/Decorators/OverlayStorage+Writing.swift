extension OverlayStorage {
    /// Stores a file in the upper storage.
    ///
    /// With ``IfExists/fail`` and ``IfExists/rename`` a name that only the lower storage has is taken, too. The lower
    /// storage is asked before the first byte is read; what it gets after that is covered.
    ///
    /// - Throws: As the upper storage; ``StorageError`` with code ``StorageError/Code/outcomeUnknown`` when the file is
    ///   stored, but somebody may have deleted the name at the same time and it cannot be found out.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        let target = try await target(name, options.ifExists)
        let file = try await upper.upload(body, to: target.name, options: options)
        try await uncover(file, target)
        return file
    }

    /// Copies a file to a name of the upper storage.
    ///
    /// A file of the upper storage is copied by that storage. The bytes of one that only the lower storage has pass
    /// through this process, in constant memory; of its type, disposition, cache control and metadata the copy gets
    /// what the upper storage keeps.
    ///
    /// - Throws: As the upper storage; ``StorageError`` with code ``StorageError/Code/unsupported`` when the lower
    ///   storage has the file in a coding such as gzip: its bytes without the coding would be another file.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        let target = try await target(destination, options.ifExists)
        let found: Found = try await reading(source) { storage, isInherited in
            if isInherited { return .below(try await storage.open(source, options: OpenOptions())) }
            return .copied(try await storage.copy(source, to: target.name, options: options))
        }
        let file =
            switch found {
            case .copied(let file): file
            case .below(let contents): try await upload(contents, to: target.name, options)
            }
        try await uncover(file, target)
        return file
    }

    private enum Found {
        case copied(UploadedFile)
        case below(StoredContents)
    }

    private func upload(
        _ contents: StoredContents,
        to name: StorageName,
        _ options: UploadOptions
    ) async throws -> UploadedFile {
        let info = contents.info
        if let coding = info.contentEncoding {
            throw StorageError(
                .unsupported,
                "The lower storage has the file in the coding \(StorageError.quoted(coding)), which a copy would "
                    + "lose. Open it, decode it with decoded(by:), and upload what comes.",
                name: info.name,
                storage: label
            )
        }
        var options = options
        let keepsMetadata = upper.capabilities.contains(.storedMetadata)
        // A type that both only derive from the name says nothing about the bytes.
        if keepsMetadata || lower.capabilities.contains(.storedMetadata) {
            options.contentType = options.contentType ?? info.contentType
        }
        if keepsMetadata {
            options.contentDisposition = options.contentDisposition ?? info.contentDisposition
            options.cacheControl = options.cacheControl ?? info.cacheControl
            if options.metadata.isEmpty { options.metadata = info.metadata }
        }
        do {
            return try await upper.upload(.stream(contents, length: info.byteCount), to: name, options: options)
        } catch let error as StorageError where error.code == .sourceFailed {
            // Here the source is the lower storage: its own error says more than that a source failed.
            throw error.underlying as? StorageError ?? error
        }
    }

    // MARK: The name

    /// The name to write under, and whether the lower storage's file is hidden there.
    private struct Target {
        let name: StorageName
        let isHidden: Bool
    }

    private func target(_ name: StorageName, _ ifExists: IfExists) async throws -> Target {
        try name.requireSafe(in: label)
        guard !name.isReserved else { return Target(name: name, isHidden: false) }
        let isHidden = try await whiteouts.contains(name)
        guard ifExists != .replace, !isHidden, try await lowerHas(name) else {
            return Target(name: name, isHidden: isHidden)
        }
        guard ifExists == .rename else {
            throw StorageError(
                .alreadyExists,
                "A file of the lower storage has this name. Choose another name, or upload with .rename or .replace.",
                name: name,
                storage: label
            )
        }
        // 100 random bits, which nobody has, above or below.
        return Target(name: try name.withRandomSuffix(), isHidden: false)
    }

    /// Returns whether the lower storage has a file with this name; `false` for reserved names.
    func lowerHas(_ name: StorageName) async throws -> Bool {
        guard !name.isReserved else { return false }
        do {
            return try await lower.exists(name)
        } catch let error as StorageError where error.code == .invalidName {
            return false
        }
    }

    // MARK: The whiteout

    /// Removes the whiteout of a name that has a file again.
    ///
    /// After the file is there, not before: a process that is killed in between leaves both, and the file counts. The
    /// other way round the deleted file of the lower storage would be back.
    private func uncover(_ file: UploadedFile, _ target: Target) async throws {
        guard target.isHidden, file.name == target.name else { return }
        // To its end, also when the caller is cancelled.
        try await Task.detached { try await removeWhiteout(of: file.name) }.value
    }

    private func removeWhiteout(of name: StorageName) async throws {
        do {
            do {
                try await whiteouts.remove(name)
            } catch is StorageError {
                // One that stays does no harm, but it may be gone all the same.
            }
            // Who deletes the name in the same moment puts the whiteout first, then removes the file: when the file
            // went before the whiteout did here, nothing would hide the lower storage's file. The last of them finds
            // that out, here or in the deletion, and hides it again.
            if try await !upper.exists(name) { try await whiteouts.insert(name) }
        } catch let error as StorageError {
            throw StorageError(
                .outcomeUnknown,
                "The file was stored. Whether somebody has deleted it at the same time cannot be found out; delete "
                    + "it, or store it again.",
                name: name,
                storage: label,
                underlying: error
            )
        }
    }
}
