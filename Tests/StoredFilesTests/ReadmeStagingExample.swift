// The example of the README for copies of a database, word for word between the marks: the test beside it compares
// the text.

// README: begin
import StoredFiles

func prepareStaging(at address: String, files: String, over production: any Storage) async throws {
    // What production has is read; what staging stores and deletes is kept in a place of its own.
    let media = try OverlayStorage(upper: FileSystemStorage(root: files), lower: production)
    let staging = try await Database.connect(address, storages: StorageRegistry([.media: media]))

    // Once for each copy, not at each start: staging decides about the files of its own place.
    try await staging.adopt(.media)
    await staging.close()
}
// README: end
