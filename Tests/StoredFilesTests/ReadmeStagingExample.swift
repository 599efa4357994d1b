// The example of the README for copies of a database, word for word between the marks: the test beside it compares
// the text.

// README: begin
import StoredFiles

func prepareStaging(at address: String, files: String, over production: any Storage) async throws {
    // Files are read from production. What staging stores and deletes is recorded in a folder of its own.
    let media = try OverlayStorage(upper: FileSystemStorage(root: files), lower: production)
    let staging = try await Database.connect(address, storages: StorageRegistry([.media: media]))

    // Once for each copy, not at each start: from now on this database decides about the files of that folder.
    try await staging.adopt(.media)
    await staging.close()
}
// README: end
